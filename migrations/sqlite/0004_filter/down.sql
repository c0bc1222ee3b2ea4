ALTER TABLE "view" DROP COLUMN previous_filter;
ALTER TABLE "view" DROP COLUMN filter;
