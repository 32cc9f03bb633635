START TRANSACTION;
ALTER TABLE "team" ADD "code" character(4);
ALTER TABLE "task" ADD "points" integer NOT NULL DEFAULT '1';
ALTER TABLE "task" ADD "labels" text array;
INSERT INTO "migrations"("timestamp", "name") VALUES (1700000001000, 'add_columns1700000001000');
COMMIT;
