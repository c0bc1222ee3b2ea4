-- Above the lowest three bits the column counts answers from now on; what stands there is part of a mark.
UPDATE entry SET echo = 0 WHERE echo <> 0;
