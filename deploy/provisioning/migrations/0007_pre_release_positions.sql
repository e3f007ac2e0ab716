-- Of each partition the last response that a release was made of, so that it can be built again from the same ones.

alter table releases add column positions jsonb;
