-- What an organiser has decided about each free text. A text stands here under a keyed hash of whose it is and what it says, whose key is not
-- in the database: one that was changed or withdrawn has no decision any more. See services/export/texts/accepted.py.

create table text_reviews (
    survey   text    not null,
    handle   bytea   not null,
    accepted boolean not null,
    primary key (survey, handle)
);

-- The texts that releases hold, under the same hashes.
alter table release_ledgers add column texts bytea;

grant select, insert, update, delete on text_reviews to platea_export;
