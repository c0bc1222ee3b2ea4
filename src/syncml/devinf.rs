//! Device information (SyncML DevInf DTD 1.0, 1.1, 1.2).
//!
//! 1.0 and 1.1 list CTCap beside the datastores, flat; 1.2 puts it into each datastore. Here a 1.0/1.1 document has
//! its capabilities in [`DevInf::ct_caps`], a 1.2 document in [`DataStoreInfo::ct_caps`]; both in the same shape.

use std::borrow::Cow;

/// DevInf.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DevInf<'a> {
    /// VerDTD.
    pub ver_dtd: Cow<'a, str>,
    /// Man: manufacturer.
    pub man: Option<Cow<'a, str>>,
    /// Mod: model.
    pub model: Option<Cow<'a, str>>,
    /// OEM.
    pub oem: Option<Cow<'a, str>>,
    /// FwV: firmware version.
    pub fw_v: Option<Cow<'a, str>>,
    /// SwV: software version.
    pub sw_v: Option<Cow<'a, str>>,
    /// HwV: hardware version.
    pub hw_v: Option<Cow<'a, str>>,
    /// DevID.
    pub dev_id: Cow<'a, str>,
    /// DevTyp: `phone`, `server`, `workstation` ...
    pub dev_typ: Cow<'a, str>,
    /// UTC: the device takes UTC times (1.1).
    pub utc: bool,
    /// SupportLargeObjs (1.1).
    pub large_objects: bool,
    /// SupportNumberOfChanges (1.1).
    pub number_of_changes: bool,
    /// DataStore, in order.
    pub datastores: Vec<DataStoreInfo<'a>>,
    /// CTCap beside the datastores (1.0, 1.1).
    pub ct_caps: Vec<CtCap<'a>>,
    /// Ext: XNam with its XVal.
    pub ext: Vec<(Cow<'a, str>, Vec<Cow<'a, str>>)>,
}

/// DataStore.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DataStoreInfo<'a> {
    /// SourceRef: the address.
    pub source_ref: Cow<'a, str>,
    /// DisplayName.
    pub display_name: Option<Cow<'a, str>>,
    /// MaxGUIDSize, octets.
    pub max_guid_size: Option<u64>,
    /// Rx-Pref.
    pub rx_pref: Option<ContentType<'a>>,
    /// Rx.
    pub rx: Vec<ContentType<'a>>,
    /// Tx-Pref.
    pub tx_pref: Option<ContentType<'a>>,
    /// Tx.
    pub tx: Vec<ContentType<'a>>,
    /// CTCap inside the datastore (1.2).
    pub ct_caps: Vec<CtCap<'a>>,
    /// DSMem.
    pub memory: Option<Memory>,
    /// SupportHierarchicalSync (1.2).
    pub hierarchical: bool,
    /// SyncCap: SyncType numbers, 1 two-way ... 7 server alerted.
    pub sync_types: Vec<u32>,
    /// Filter-Rx (1.2).
    pub filter_rx: Vec<ContentType<'a>>,
    /// FilterCap (1.2).
    pub filter_caps: Vec<FilterCap<'a>>,
}

/// CTType and VerCT.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ContentType<'a> {
    /// CTType.
    pub kind: Cow<'a, str>,
    /// VerCT; empty if absent.
    pub version: Cow<'a, str>,
}

/// DSMem.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Memory {
    /// SharedMem.
    pub shared: bool,
    /// MaxMem, octets.
    pub max_mem: Option<u64>,
    /// MaxID, items.
    pub max_id: Option<u64>,
}

/// CTCap of one content type.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CtCap<'a> {
    /// CTType and VerCT (VerCT is 1.2).
    pub content_type: ContentType<'a>,
    /// FieldLevel (1.2).
    pub field_level: bool,
    /// Property (1.2), PropName (1.0, 1.1).
    pub properties: Vec<PropertyInfo<'a>>,
}

/// One property that a device knows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PropertyInfo<'a> {
    /// PropName.
    pub name: Cow<'a, str>,
    /// DataType.
    pub data_type: Option<Cow<'a, str>>,
    /// MaxOccur (1.2).
    pub max_occur: Option<u64>,
    /// MaxSize (1.2), Size (1.0, 1.1), octets.
    pub max_size: Option<u64>,
    /// NoTruncate (1.2).
    pub no_truncate: bool,
    /// ValEnum.
    pub values: Vec<Cow<'a, str>>,
    /// DisplayName.
    pub display_name: Option<Cow<'a, str>>,
    /// PropParam (1.2), ParamName (1.0, 1.1).
    pub params: Vec<ParamInfo<'a>>,
}

/// One parameter of a property that a device knows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ParamInfo<'a> {
    /// ParamName.
    pub name: Cow<'a, str>,
    /// DataType.
    pub data_type: Option<Cow<'a, str>>,
    /// ValEnum.
    pub values: Vec<Cow<'a, str>>,
    /// DisplayName.
    pub display_name: Option<Cow<'a, str>>,
}

/// FilterCap (1.2).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FilterCap<'a> {
    /// CTType and VerCT of the filter grammar.
    pub content_type: ContentType<'a>,
    /// FilterKeyword.
    pub keywords: Vec<Cow<'a, str>>,
    /// PropName.
    pub properties: Vec<Cow<'a, str>>,
}
