-- From which day on the answers to a survey are deleted, partition by partition. Its checkpoints then are all that its figures rest on:
-- a checkpoint that counts them is written in the transaction that deletes.

create table deletions (
    survey    text     not null,
    partition smallint not null,
    day       date     not null,
    primary key (survey, partition)
);

grant select, insert on deletions to platea_analysis;
grant select on deletions to platea_export;

-- What export knows under keyed hashes of answers that are gone goes with them.
grant select, delete on text_reviews, release_ledgers to platea_analysis;
