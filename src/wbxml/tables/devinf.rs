//! Device information, code page 0 of its own document type. 0x2F is not assigned. 0x1C is named `Size` in 1.0 and
//! 1.1, `MaxSize` in 1.2.

/// The number of this code page.
pub(crate) const SPACE: u8 = 2;

page! {
    2,
    0x05 "CTCap" CT_CAP;
    0x06 "CTType" CT_TYPE;
    0x07 "DataStore" DATA_STORE;
    0x08 "DataType" DATA_TYPE;
    0x09 "DevID" DEV_ID;
    0x0A "DevInf" DEVINF;
    0x0B "DevTyp" DEV_TYP;
    0x0C "DisplayName" DISPLAY_NAME;
    0x0D "DSMem" DS_MEM;
    0x0E "Ext" EXT;
    0x0F "FwV" FW_V;
    0x10 "HwV" HW_V;
    0x11 "Man" MAN;
    0x12 "MaxGUIDSize" MAX_GUID_SIZE;
    0x13 "MaxID" MAX_ID;
    0x14 "MaxMem" MAX_MEM;
    0x15 "Mod" MOD;
    0x16 "OEM" OEM;
    0x17 "ParamName" PARAM_NAME;
    0x18 "PropName" PROP_NAME;
    0x19 "Rx" RX;
    0x1A "Rx-Pref" RX_PREF;
    0x1B "SharedMem" SHARED_MEM;
    0x1C "MaxSize" MAX_SIZE;
    0x1D "SourceRef" SOURCE_REF;
    0x1E "SwV" SW_V;
    0x1F "SyncCap" SYNC_CAP;
    0x20 "SyncType" SYNC_TYPE;
    0x21 "Tx" TX;
    0x22 "Tx-Pref" TX_PREF;
    0x23 "ValEnum" VAL_ENUM;
    0x24 "VerCT" VER_CT;
    0x25 "VerDTD" VER_DTD;
    0x26 "XNam" X_NAM;
    0x27 "XVal" X_VAL;
    0x28 "UTC" UTC;
    0x29 "SupportNumberOfChanges" SUPPORT_NUMBER_OF_CHANGES;
    0x2A "SupportLargeObjs" SUPPORT_LARGE_OBJS;
    0x2B "Property" PROPERTY;
    0x2C "PropParam" PROP_PARAM;
    0x2D "MaxOccur" MAX_OCCUR;
    0x2E "NoTruncate" NO_TRUNCATE;
    0x30 "Filter-Rx" FILTER_RX;
    0x31 "FilterCap" FILTER_CAP;
    0x32 "FilterKeyword" FILTER_KEYWORD;
    0x33 "FieldLevel" FIELD_LEVEL;
    0x34 "SupportHierarchicalSync" SUPPORT_HIERARCHICAL_SYNC;
}
