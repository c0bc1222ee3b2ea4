DELETE FROM spent_sms WHERE account > 0 AND device = 0;
