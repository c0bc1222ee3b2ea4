-- The filter under which a device got what it has of a datastore, as text; NULL if there was none.

ALTER TABLE "view" ADD COLUMN filter TEXT;
ALTER TABLE "view" ADD COLUMN previous_filter TEXT;
