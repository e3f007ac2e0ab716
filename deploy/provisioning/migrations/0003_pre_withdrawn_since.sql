-- How many responses to its survey had been withdrawn when a release was entered: what is more now, was withdrawn since.

alter table releases add column withdrawn bigint;
