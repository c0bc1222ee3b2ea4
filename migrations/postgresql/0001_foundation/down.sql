DROP TABLE session;
DROP TABLE view;
DROP TABLE entry;
DROP TABLE revision;
DROP TABLE item;
DROP TABLE folder;
DROP TABLE device;
DROP TABLE account;
