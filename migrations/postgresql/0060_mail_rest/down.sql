DROP TABLE rest_asked;
