START TRANSACTION;
CREATE TABLE "person" ("id" uuid NOT NULL DEFAULT gen_random_uuid(), "email" character varying NOT NULL, "profile" jsonb NOT NULL DEFAULT '{}', "since" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), CONSTRAINT "UQ_d2d717efd90709ebd3cb26b936c" UNIQUE ("email"), CONSTRAINT "PK_5fdaf670315c4b7e70cce85daa3" PRIMARY KEY ("id"));
ALTER TABLE "task" ADD "ownerId" uuid;
ALTER TABLE "task" ADD CONSTRAINT "FK_a132ba8200c3abdc271d4a701d8" FOREIGN KEY ("ownerId") REFERENCES "person"("id") ON DELETE SET NULL ON UPDATE NO ACTION;
INSERT INTO "migrations"("timestamp", "name") VALUES (1700000005000, 'people1700000005000');
COMMIT;
