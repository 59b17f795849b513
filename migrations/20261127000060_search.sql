-- Calls are searched by number as people type it: without the country's code, in any grouping. What is typed is the end of
-- what is stored, so the numbers are indexed from their ends. While an index is built, receivers answer 503 and are asked
-- again: in a table of a million events some seconds.
create index if not exists call_event_from_number on call_event (reverse(from_number) text_pattern_ops);
create index if not exists call_event_to_number on call_event (reverse(to_number) text_pattern_ops);
-- By the vendors' ids: a ticket, a call in the CRM.
create index if not exists receipt_external_id on receipt (external_id);
