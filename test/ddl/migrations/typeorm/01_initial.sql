CREATE TABLE "migrations" ("id" SERIAL NOT NULL, "timestamp" bigint NOT NULL, "name" character varying NOT NULL, CONSTRAINT "PK_8c82d7f526340ab734260ea46be" PRIMARY KEY ("id"));
START TRANSACTION;
CREATE TABLE "team" ("id" SERIAL NOT NULL, "title" character varying(60) NOT NULL, CONSTRAINT "PK_f57d8293406df4af348402e4b74" PRIMARY KEY ("id"));
CREATE TYPE "public"."task_state_enum" AS ENUM('open', 'done');
CREATE TABLE "task" ("id" SERIAL NOT NULL, "name" character varying NOT NULL, "state" "public"."task_state_enum" NOT NULL DEFAULT 'open', "due" date, "teamId" integer NOT NULL, CONSTRAINT "PK_fb213f79ee45060ba925ecd576e" PRIMARY KEY ("id"));
ALTER TABLE "task" ADD CONSTRAINT "FK_de59b0c5e20f83310101e5ca835" FOREIGN KEY ("teamId") REFERENCES "team"("id") ON DELETE NO ACTION ON UPDATE NO ACTION;
INSERT INTO "migrations"("timestamp", "name") VALUES (1700000000000, 'initial1700000000000');
COMMIT;
