package candybar.syncml;

import java.util.Vector;

import candybar.wbxml.Tags;
import candybar.wbxml.WbxmlWriter;

/** What the phone can do, for the server (DevInf 1.2). */
final class DeviceInfo {
    static final String ADDRESS = "./devinf12";
    static final String TYPE = "application/vnd.syncml-devinf+wbxml";
    /** Sync types that the phone knows: two-way to refresh from the server, and by the server's wish. */
    private static final int SYNC_TYPES = 7;

    private DeviceInfo() {
    }

    /** The document, as it stands in Data. */
    static byte[] document(Account account, Vector datastores) {
        WbxmlWriter out = new WbxmlWriter(Tags.DEVINF_DOCUMENT);
        out.open(Tags.DI_DEV_INF);
        out.text(Tags.DI_VER_DTD, "1.2");
        out.text(Tags.DI_MAN, "candybar");
        out.text(Tags.DI_MOD, "MIDlet");
        out.text(Tags.DI_SW_V, "1.0");
        out.text(Tags.DI_DEV_ID, account.device);
        out.text(Tags.DI_DEV_TYP, "phone");
        out.empty(Tags.DI_UTC);
        out.empty(Tags.DI_SUPPORT_LARGE_OBJS);
        out.empty(Tags.DI_SUPPORT_NUMBER_OF_CHANGES);
        for (int i = 0; i < datastores.size(); i++) {
            datastore(out, (Datastore) datastores.elementAt(i));
        }
        return out.close().toByteArray();
    }

    private static void datastore(WbxmlWriter out, Datastore datastore) {
        out.open(Tags.DI_DATA_STORE);
        out.text(Tags.DI_SOURCE_REF, "./" + datastore.name());
        out.text(Tags.DI_DISPLAY_NAME, datastore.name());
        out.text(Tags.DI_MAX_GUID_SIZE, "64");
        type(out, Tags.DI_RX_PREF, datastore.type(), datastore.version());
        type(out, Tags.DI_TX_PREF, datastore.type(), datastore.version());
        boolean hasFolders = datastore.folderType().length() > 0;
        if (hasFolders) {
            type(out, Tags.DI_RX, datastore.folderType(), datastore.version());
            type(out, Tags.DI_TX, datastore.folderType(), datastore.version());
        }
        out.open(Tags.DI_CT_CAP);
        out.text(Tags.DI_CT_TYPE, datastore.type());
        out.text(Tags.DI_VER_CT, datastore.version());
        String[] fields = datastore.fields();
        for (int i = 0; i < fields.length; i++) {
            out.text(Tags.DI_PROPERTY, Tags.DI_PROP_NAME, fields[i]);
        }
        out.close();
        if (hasFolders) {
            out.empty(Tags.DI_SUPPORT_HIERARCHICAL_SYNC);
        }
        out.open(Tags.DI_SYNC_CAP);
        for (int i = 1; i <= SYNC_TYPES; i++) {
            out.number(Tags.DI_SYNC_TYPE, i);
        }
        out.close().close();
    }

    private static void type(WbxmlWriter out, int tag, String type, String version) {
        out.open(tag);
        out.text(Tags.DI_CT_TYPE, type);
        out.text(Tags.DI_VER_CT, version);
        out.close();
    }
}
