package candybar.wbxml;

/** Tokens of SyncML 1.2 (page 0), MetInf (page 1) and DevInf (a document of its own), as page times 256 plus token. */
public final class Tags {
    /** Public id of SyncML 1.2. */
    public static final int SYNCML_DOCUMENT = 0x1201;
    /** Public id of its device information. */
    public static final int DEVINF_DOCUMENT = 0x1203;

    public static final int ADD = 0x05;
    public static final int ALERT = 0x06;
    public static final int CHAL = 0x09;
    public static final int CMD = 0x0A;
    public static final int CMD_ID = 0x0B;
    public static final int CMD_REF = 0x0C;
    public static final int CRED = 0x0E;
    public static final int DATA = 0x0F;
    public static final int DELETE = 0x10;
    public static final int FINAL = 0x12;
    public static final int GET = 0x13;
    public static final int ITEM = 0x14;
    public static final int LOC_NAME = 0x16;
    public static final int LOC_URI = 0x17;
    public static final int MAP = 0x18;
    public static final int MAP_ITEM = 0x19;
    public static final int META = 0x1A;
    public static final int MSG_ID = 0x1B;
    public static final int MSG_REF = 0x1C;
    public static final int NO_RESP = 0x1D;
    public static final int PUT = 0x1F;
    public static final int REPLACE = 0x20;
    public static final int RESP_URI = 0x21;
    public static final int RESULTS = 0x22;
    public static final int SESSION_ID = 0x25;
    public static final int SOURCE = 0x27;
    public static final int SOURCE_REF = 0x28;
    public static final int STATUS = 0x29;
    public static final int SYNC = 0x2A;
    public static final int SYNC_BODY = 0x2B;
    public static final int SYNC_HDR = 0x2C;
    public static final int SYNCML = 0x2D;
    public static final int TARGET = 0x2E;
    public static final int TARGET_REF = 0x2F;
    public static final int VER_DTD = 0x31;
    public static final int VER_PROTO = 0x32;
    public static final int NUMBER_OF_CHANGES = 0x33;
    public static final int MORE_DATA = 0x34;
    public static final int SOURCE_PARENT = 0x39;
    public static final int TARGET_PARENT = 0x3A;
    public static final int MOVE = 0x3B;

    public static final int ANCHOR = 0x105;
    public static final int FORMAT = 0x107;
    public static final int LAST = 0x10A;
    public static final int MAX_MSG_SIZE = 0x10C;
    public static final int NEXT = 0x10F;
    public static final int NEXT_NONCE = 0x110;
    public static final int SIZE = 0x112;
    public static final int TYPE = 0x113;
    public static final int MAX_OBJ_SIZE = 0x115;

    public static final int DI_CT_CAP = 0x05;
    public static final int DI_CT_TYPE = 0x06;
    public static final int DI_DATA_STORE = 0x07;
    public static final int DI_DEV_ID = 0x09;
    public static final int DI_DEV_INF = 0x0A;
    public static final int DI_DEV_TYP = 0x0B;
    public static final int DI_DISPLAY_NAME = 0x0C;
    public static final int DI_MAN = 0x11;
    public static final int DI_MAX_GUID_SIZE = 0x12;
    public static final int DI_MOD = 0x15;
    public static final int DI_PROP_NAME = 0x18;
    public static final int DI_RX = 0x19;
    public static final int DI_RX_PREF = 0x1A;
    public static final int DI_SOURCE_REF = 0x1D;
    public static final int DI_SW_V = 0x1E;
    public static final int DI_SYNC_CAP = 0x1F;
    public static final int DI_SYNC_TYPE = 0x20;
    public static final int DI_TX = 0x21;
    public static final int DI_TX_PREF = 0x22;
    public static final int DI_VER_CT = 0x24;
    public static final int DI_VER_DTD = 0x25;
    public static final int DI_UTC = 0x28;
    public static final int DI_SUPPORT_NUMBER_OF_CHANGES = 0x29;
    public static final int DI_SUPPORT_LARGE_OBJS = 0x2A;
    public static final int DI_PROPERTY = 0x2B;
    public static final int DI_SUPPORT_HIERARCHICAL_SYNC = 0x34;

    private Tags() {
    }
}
