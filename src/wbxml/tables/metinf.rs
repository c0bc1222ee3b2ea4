//! Meta information: code page 1 of SyncML.

/// The number of this code page.
pub(crate) const SPACE: u8 = 1;

page! {
    1,
    0x05 "Anchor" ANCHOR;
    0x06 "EMI" EMI;
    0x07 "Format" FORMAT;
    0x08 "FreeID" FREE_ID;
    0x09 "FreeMem" FREE_MEM;
    0x0A "Last" LAST;
    0x0B "Mark" MARK;
    0x0C "MaxMsgSize" MAX_MSG_SIZE;
    0x0D "Mem" MEM;
    0x0E "MetInf" METINF;
    0x0F "Next" NEXT;
    0x10 "NextNonce" NEXT_NONCE;
    0x11 "SharedMem" SHARED_MEM;
    0x12 "Size" SIZE;
    0x13 "Type" TYPE;
    0x14 "Version" VERSION;
    0x15 "MaxObjSize" MAX_OBJ_SIZE;
    0x16 "FieldLevel" FIELD_LEVEL;
}
