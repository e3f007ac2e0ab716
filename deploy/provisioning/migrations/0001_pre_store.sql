-- The store: responses are the truth, everything else is derived from them or says how far work has come.
-- No table says when somebody answered.

create table surveys (
    survey     text  not null,
    version    text  not null,
    instrument jsonb not null,
    primary key (survey, version)
);

create table responses (
    id        uuid     primary key,
    survey    text     not null,
    version   text,
    partition smallint not null,
    seq       bigint   not null,
    status    text     not null check (status in ('recorded', 'withdrawn')),
    language  text,
    answers   jsonb,
    -- Of a withdrawn response only the tombstone stays, which keeps late events about it from counting.
    check ((status = 'recorded') = (answers is not null)),
    check (status = 'withdrawn' or version is not null),
    check (status = 'recorded' or language is null)
);
create index responses_in_order on responses (survey, partition, seq);

-- How far each partition of the journal is recorded. Moves in the transaction that records.
create table positions (
    partition smallint primary key,
    seq       bigint   not null
);

create table checkpoints (
    survey    text     not null,
    partition smallint not null,
    seq       bigint   not null,
    codebook  text     not null,
    state     bytea    not null,
    primary key (survey, partition)
);

-- Former contents that a checkpoint still counts: what event `seq` said until the batch that ended at `until` took it back.
-- They go with the next checkpoint, within seconds.
create table retractions (
    seq       bigint   primary key,
    until     bigint   not null,
    id        uuid     not null,
    survey    text     not null,
    partition smallint not null,
    version   text     not null,
    answers   jsonb    not null
);
create index retractions_in_order on retractions (survey, partition, until);

-- Messages of the journal that are still to be deleted and overwritten.
create table erasures (
    seq bigint primary key
);

create table parked (
    seq       bigint   primary key,
    partition smallint not null,
    reason    text     not null
);

-- The last state whose figures were made public.
create table released (
    survey   text        primary key,
    version  text        not null,
    revision bigint      not null,
    codebook text        not null,
    as_of    text        not null,
    state    bytea       not null
);

create table releases (
    survey   text    not null,
    number   integer not null check (number > 0),
    profile  text    not null,
    manifest jsonb   not null,
    primary key (survey, number)
);

grant select, insert, update, delete on surveys, responses, positions, checkpoints, retractions, erasures, parked, released to platea_analysis;
grant select on surveys, responses to platea_export;
grant select, insert on releases to platea_export;
