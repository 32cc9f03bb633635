BEGIN;
ALTER TABLE billing.account
  ALTER COLUMN opened TYPE timestamptz USING to_timestamp(opened),
  ALTER COLUMN tags TYPE text[] USING string_to_array(tags, ','),
  ALTER COLUMN balance TYPE numeric(14,2);
INSERT INTO "billing"."flyway_schema_history" ("installed_rank", "version", "description", "type", "script", "checksum", "installed_by", "execution_time", "success") VALUES (4, '4', 'retype_with_expressions', 'SQL', 'V4__retype_with_expressions.sql', 31676, 'postgres', 12, true);
COMMIT;
