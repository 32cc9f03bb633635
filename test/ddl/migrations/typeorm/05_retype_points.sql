START TRANSACTION;
ALTER TABLE "team" DROP COLUMN "code";
ALTER TABLE "team" ADD "code" character varying(10) NOT NULL DEFAULT '';
ALTER TABLE "team" ALTER COLUMN "code" DROP DEFAULT;
ALTER TABLE "task" ALTER COLUMN "state" SET DEFAULT 'new';
ALTER TABLE "task" DROP COLUMN "points";
ALTER TABLE "task" ADD "points" numeric(6,2) NOT NULL DEFAULT '1';
INSERT INTO "migrations"("timestamp", "name") VALUES (1700000004000, 'retype_points1700000004000');
COMMIT;
