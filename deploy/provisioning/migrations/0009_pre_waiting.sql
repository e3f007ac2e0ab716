-- Events that analysis cannot read yet, since it does not know the version of the survey that they answer: they stay in the journal, and are
-- recorded when it does. `version` is null where it is the kind of event that is not known; `again`: to be read again now.

create table waiting (
    seq       bigint   primary key,
    partition smallint not null,
    id        uuid,
    survey    text     not null,
    version   text,
    again     boolean  not null default false
);
create index waiting_by_partition on waiting (partition, seq);
create index waiting_by_id on waiting (id);

alter table parked add column survey text, add column id uuid;
create index parked_by_id on parked (id);

-- What waited is recorded out of turn: not when the position passes its number, but in the so manieth late batch of its partition. A count
-- stands at a position, `seq` and `late`: it has the rows up to that number that came in turn, and those of so many late batches.

alter table positions add column late bigint not null default 0;
alter table checkpoints add column late bigint not null default 0;
alter table responses add column late bigint;
create index responses_late on responses (survey, partition, late) where late is not null;

-- `late` as in the response; taken back either in turn (`until`) or in a late batch (`until_late`).
alter table retractions add column late bigint, add column until_late bigint;
alter table retractions alter column until drop not null;
alter table retractions add check ((until is null) <> (until_late is null));

grant select, insert, update, delete on waiting to platea_analysis;
