UPDATE entry SET echo = 0 WHERE echo <> 0;
