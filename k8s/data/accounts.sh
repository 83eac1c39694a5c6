#!/bin/sh
# Run once, when the database's files are made, by the image's own start. The shop owns the databases that are
# made and dropped for one run each and no others, two of which are there from the start; the exporter may look and hold three connections.
set -eu
mariadb --user=root --password="$MARIADB_ROOT_PASSWORD" <<SQL
CREATE DATABASE IF NOT EXISTS double11_rehearsal_baseline DEFAULT CHARACTER SET = utf8mb4;
CREATE DATABASE IF NOT EXISTS double11_rehearsal_optimized DEFAULT CHARACTER SET = utf8mb4;
GRANT ALL PRIVILEGES ON \`double11\\_rehearsal\\_%\`.* TO 'shop'@'%';
CREATE USER 'exporter'@'127.0.0.1' IDENTIFIED BY '$EXPORTER_PASSWORD' WITH MAX_USER_CONNECTIONS 3;
GRANT PROCESS, REPLICA MONITOR, SELECT ON *.* TO 'exporter'@'127.0.0.1';
SQL
