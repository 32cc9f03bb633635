BEGIN;
CREATE TABLE billing.booking_2025 (LIKE billing.booking INCLUDING ALL);
ALTER TABLE billing.booking_2025 REPLICA IDENTITY FULL;
INSERT INTO billing.booking_2025 VALUES ('A-1', '2025-01-01', 1.00, 'before it was attached');
ALTER TABLE billing.booking ATTACH PARTITION billing.booking_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE INDEX booking_account ON billing.booking (account_no, booked_on);
INSERT INTO "billing"."flyway_schema_history" ("installed_rank", "version", "description", "type", "script", "checksum", "installed_by", "execution_time", "success") VALUES (6, '6', 'new_partition', 'SQL', 'V6__new_partition.sql', 47514, 'postgres', 12, true);
COMMIT;
