-- Calls are searched by number as people type it: without the country's code, in any grouping. What is typed is the end of
-- what is stored, so the digits are indexed from their end, and only the last twenty: a sender's text may be of any length,
-- and an index refuses a row whose key is too long. While an index is built, receivers answer 503 and are asked again: in a
-- table of a million events some seconds.

-- Shorter than the writer waits for a lock: no delivery is refused while this one waits behind a long query.
set local lock_timeout = '400ms';

create index if not exists call_event_from_number
    on call_event (reverse(right(regexp_replace(from_number, '[^0-9]', '', 'g'), 20)) text_pattern_ops);
create index if not exists call_event_to_number
    on call_event (reverse(right(regexp_replace(to_number, '[^0-9]', '', 'g'), 20)) text_pattern_ops);
-- By the vendors' ids, which may be of any length, too: a ticket, a call in the CRM.
create index if not exists receipt_external_id on receipt using hash (external_id);
