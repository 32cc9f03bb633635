START TRANSACTION;
UPDATE "team" SET "code" = 'T' || "id" WHERE "code" IS NULL;
ALTER TABLE "team" ALTER COLUMN "code" SET NOT NULL;
INSERT INTO "migrations"("timestamp", "name") VALUES (1700000002000, 'code_required1700000002000');
COMMIT;
