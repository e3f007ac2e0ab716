-- Who was released in which class, so that the next release holds together with all before: one book for each survey and profile,
-- people under a keyed hash whose key is not in the database. See services/export/gate/ledger.py.

create table release_ledgers (
    survey  text    not null,
    profile text    not null,
    number  integer not null,
    book    bytea   not null,
    primary key (survey, profile),
    foreign key (survey, number) references releases (survey, number)
);

grant select, insert, update on release_ledgers to platea_export;
