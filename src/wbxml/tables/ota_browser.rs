//! Browser settings of Nokia's and Ericsson's OTA (Over The Air Settings Specification 7.0, section 8).

use super::{AttrStart, attr_start as start};

/// The number of this code page.
pub(crate) const SPACE: u8 = 9;

page! {
    9,
    0x05 "CHARACTERISTIC-LIST" LIST;
    0x06 "CHARACTERISTIC" CHARACTERISTIC;
    0x07 "PARM" PARM;
}

/// Attribute names.
pub(super) static ATTR_STARTS: &[AttrStart] = &[
    start(0, 0x06, "TYPE", "ADDRESS"),
    start(0, 0x07, "TYPE", "URL"),
    start(0, 0x08, "TYPE", "NAME"),
    start(0, 0x10, "NAME", ""),
    start(0, 0x11, "VALUE", ""),
    start(0, 0x12, "NAME", "BEARER"),
    start(0, 0x13, "NAME", "PROXY"),
    start(0, 0x14, "NAME", "PORT"),
    start(0, 0x15, "NAME", "NAME"),
    start(0, 0x16, "NAME", "PROXY_TYPE"),
    start(0, 0x17, "NAME", "URL"),
    start(0, 0x18, "NAME", "PROXY_AUTHNAME"),
    start(0, 0x19, "NAME", "PROXY_AUTHSECRET"),
    start(0, 0x1A, "NAME", "SMS_SMSC_ADDRESS"),
    start(0, 0x1B, "NAME", "USSD_SERVICE_CODE"),
    start(0, 0x1C, "NAME", "GPRS_ACCESSPOINTNAME"),
    start(0, 0x1D, "NAME", "PPP_LOGINTYPE"),
    start(0, 0x1E, "NAME", "PROXY_LOGINTYPE"),
    start(0, 0x21, "NAME", "CSD_DIALSTRING"),
    start(0, 0x22, "NAME", "PPP_AUTHTYPE"),
    start(0, 0x23, "NAME", "PPP_AUTHNAME"),
    start(0, 0x24, "NAME", "PPP_AUTHSECRET"),
    start(0, 0x28, "NAME", "CSD_CALLTYPE"),
    start(0, 0x29, "NAME", "CSD_CALLSPEED"),
    start(0, 0x45, "VALUE", "GSM/CSD"),
    start(0, 0x46, "VALUE", "GSM/SMS"),
    start(0, 0x47, "VALUE", "GSM/USSD"),
    start(0, 0x48, "VALUE", "IS-136/CSD"),
    start(0, 0x49, "VALUE", "GPRS"),
    start(0, 0x60, "VALUE", "9200"),
    start(0, 0x61, "VALUE", "9201"),
    start(0, 0x62, "VALUE", "9202"),
    start(0, 0x63, "VALUE", "9203"),
    start(0, 0x64, "VALUE", "AUTOMATIC"),
    start(0, 0x65, "VALUE", "MANUAL"),
    start(0, 0x6A, "VALUE", "AUTO"),
    start(0, 0x6B, "VALUE", "9600"),
    start(0, 0x6C, "VALUE", "14400"),
    start(0, 0x6D, "VALUE", "19200"),
    start(0, 0x6E, "VALUE", "28800"),
    start(0, 0x6F, "VALUE", "38400"),
    start(0, 0x70, "VALUE", "PAP"),
    start(0, 0x71, "VALUE", "CHAP"),
    start(0, 0x72, "VALUE", "ANALOGUE"),
    start(0, 0x73, "VALUE", "ISDN"),
    start(0, 0x74, "VALUE", "43200"),
    start(0, 0x75, "VALUE", "57600"),
    start(0, 0x76, "VALUE", "MSISDN_NO"),
    start(0, 0x77, "VALUE", "IPV4"),
    start(0, 0x78, "VALUE", "MS_CHAP"),
    start(0, 0x7C, "TYPE", "MMSURL"),
    start(0, 0x7D, "TYPE", "ID"),
    start(0, 0x7E, "NAME", "ISP_NAME"),
    start(0, 0x7F, "TYPE", "BOOKMARK"),
];
