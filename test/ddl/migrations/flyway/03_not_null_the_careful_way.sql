BEGIN;
UPDATE billing.account SET iban = 'XX' || account_no WHERE iban IS NULL;
ALTER TABLE billing.account ADD CONSTRAINT iban_present CHECK (iban IS NOT NULL) NOT VALID;
ALTER TABLE billing.account VALIDATE CONSTRAINT iban_present;
ALTER TABLE billing.account ALTER COLUMN iban SET NOT NULL;
ALTER TABLE billing.account DROP CONSTRAINT iban_present;
INSERT INTO "billing"."flyway_schema_history" ("installed_rank", "version", "description", "type", "script", "checksum", "installed_by", "execution_time", "success") VALUES (3, '3', 'not_null_the_careful_way', 'SQL', 'V3__not_null_the_careful_way.sql', 23757, 'postgres', 12, true);
COMMIT;
