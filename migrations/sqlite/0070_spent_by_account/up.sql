-- What an account spent, beside what each of its devices did: the rows of device 0. One budget is one look, however many devices
-- an account has, and however many days ago it began.
INSERT INTO spent_sms (account, device, day, gateway, sms)
SELECT account, 0, day, gateway, sum(sms) FROM spent_sms WHERE account > 0 AND device > 0 GROUP BY account, day, gateway;
