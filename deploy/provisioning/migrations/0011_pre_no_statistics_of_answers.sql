-- PostgreSQL kept answers of some hundred people as statistics of these columns, also after they had been withdrawn. Nothing is ever looked
-- up by them. To name the type again drops what is kept, and rewrites nothing.

alter table responses alter column answers set statistics 0, alter column answers type jsonb;
alter table retractions alter column answers set statistics 0, alter column answers type jsonb;
