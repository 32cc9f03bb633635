BEGIN;
ALTER TABLE billing.account RENAME COLUMN owner TO swapped;
ALTER TABLE billing.account RENAME COLUMN account_no TO owner;
ALTER TABLE billing.account RENAME COLUMN swapped TO account_no;
ALTER TABLE billing.account DROP COLUMN closed_at;
ALTER TABLE billing.account ADD COLUMN closed_at date DEFAULT '2099-12-31';
INSERT INTO "billing"."flyway_schema_history" ("installed_rank", "version", "description", "type", "script", "checksum", "installed_by", "execution_time", "success") VALUES (8, '8', 'swap_and_replace', 'SQL', 'V8__swap_and_replace.sql', 63352, 'postgres', 12, true);
COMMIT;
