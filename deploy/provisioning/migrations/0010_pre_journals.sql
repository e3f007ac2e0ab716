-- Which journal the numbers in this store belong to: the last line, by the id in the metadata of the stream RESPONSES. While it is not settled,
-- the two are being mended and analysis waits. `moved`: how many stored responses were put into the journal again, under another number.

create table journals (
    number  integer generated always as identity primary key,
    id      text    not null,
    settled boolean not null,
    moved   bigint  not null default 0
);

grant select on journals to platea_analysis, platea_export;
