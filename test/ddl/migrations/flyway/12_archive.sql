BEGIN;
ALTER TABLE billing.booking DETACH PARTITION billing.booking_2024;
ALTER TABLE billing.booking_2024 RENAME TO booking_archive;
ALTER TABLE billing_core.customer DROP COLUMN limits, DROP COLUMN tags;
DROP TABLE billing.card;
INSERT INTO "billing"."flyway_schema_history" ("installed_rank", "version", "description", "type", "script", "checksum", "installed_by", "execution_time", "success") VALUES (12, '12', 'archive', 'SQL', 'V12__archive.sql', 95028, 'postgres', 12, true);
COMMIT;
