//! Sync settings of Nokia's and Ericsson's OTA (Over The Air Settings Specification 7.0, section 11).

/// The number of this code page.
pub(crate) const SPACE: u8 = 8;

page! {
    8,
    0x05 "Addr" ADDR;
    0x06 "AddrType" ADDR_TYPE;
    0x07 "Auth" AUTH;
    0x08 "AuthLevel" AUTH_LEVEL;
    0x09 "AuthScheme" AUTH_SCHEME;
    0x0A "Bearer" BEARER;
    0x0B "ConRef" CON_REF;
    0x0C "ConType" CON_TYPE;
    0x0D "Cred" CRED;
    0x0E "CTType" CT_TYPE;
    0x0F "CTVer" CT_VER;
    0x10 "HostAddr" HOST_ADDR;
    0x11 "Name" NAME;
    0x12 "Port" PORT;
    0x13 "RefID" REF_ID;
    0x14 "RemoteDB" REMOTE_DB;
    0x15 "SyncSettings" SYNC_SETTINGS;
    0x16 "URI" URI;
    0x17 "Username" USERNAME;
    0x18 "Version" VERSION;
}
