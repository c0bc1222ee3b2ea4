//! SyncML, code page 0. Codes to 0x32 are of 1.0, to 0x34 of 1.1, the rest of 1.2; all are taken in every version,
//! because phones do not keep to the version they name.

/// The number of this code page.
pub(crate) const SPACE: u8 = 0;

page! {
    0,
    0x05 "Add" ADD;
    0x06 "Alert" ALERT;
    0x07 "Archive" ARCHIVE;
    0x08 "Atomic" ATOMIC;
    0x09 "Chal" CHAL;
    0x0A "Cmd" CMD;
    0x0B "CmdID" CMD_ID;
    0x0C "CmdRef" CMD_REF;
    0x0D "Copy" COPY;
    0x0E "Cred" CRED;
    0x0F "Data" DATA;
    0x10 "Delete" DELETE;
    0x11 "Exec" EXEC;
    0x12 "Final" FINAL;
    0x13 "Get" GET;
    0x14 "Item" ITEM;
    0x15 "Lang" LANG;
    0x16 "LocName" LOC_NAME;
    0x17 "LocURI" LOC_URI;
    0x18 "Map" MAP;
    0x19 "MapItem" MAP_ITEM;
    0x1A "Meta" META;
    0x1B "MsgID" MSG_ID;
    0x1C "MsgRef" MSG_REF;
    0x1D "NoResp" NO_RESP;
    0x1E "NoResults" NO_RESULTS;
    0x1F "Put" PUT;
    0x20 "Replace" REPLACE;
    0x21 "RespURI" RESP_URI;
    0x22 "Results" RESULTS;
    0x23 "Search" SEARCH;
    0x24 "Sequence" SEQUENCE;
    0x25 "SessionID" SESSION_ID;
    0x26 "SftDel" SFT_DEL;
    0x27 "Source" SOURCE;
    0x28 "SourceRef" SOURCE_REF;
    0x29 "Status" STATUS;
    0x2A "Sync" SYNC;
    0x2B "SyncBody" SYNC_BODY;
    0x2C "SyncHdr" SYNC_HDR;
    0x2D "SyncML" SYNCML;
    0x2E "Target" TARGET;
    0x2F "TargetRef" TARGET_REF;
    0x31 "VerDTD" VER_DTD;
    0x32 "VerProto" VER_PROTO;
    0x33 "NumberOfChanges" NUMBER_OF_CHANGES;
    0x34 "MoreData" MORE_DATA;
    0x35 "Field" FIELD;
    0x36 "Filter" FILTER;
    0x37 "Record" RECORD;
    0x38 "FilterType" FILTER_TYPE;
    0x39 "SourceParent" SOURCE_PARENT;
    0x3A "TargetParent" TARGET_PARENT;
    0x3B "Move" MOVE;
    0x3C "Correlator" CORRELATOR;
}
