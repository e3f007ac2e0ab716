-- The version of the information notice that the respondent agreed to. Responses from before have none.

alter table responses add column notice text;
alter table responses add check (status = 'recorded' or notice is null);
