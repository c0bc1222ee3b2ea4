DROP TABLE gateway_state;
