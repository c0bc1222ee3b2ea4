//! Status codes (SyncML Representation Protocol, response status codes).

/// A response status code. Open: unknown codes survive decoding.
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, serde::Serialize, serde::Deserialize,
)]
pub struct Code(pub u16);

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)*) => {
        #[allow(missing_docs)]
        impl Code {
            $($(#[$doc])* pub const $name: Self = Self($number);)*

            /// The specification's words for the code, `unknown` if it has none.
            pub const fn text(self) -> &'static str {
                match self.0 {
                    $($number => $text,)*
                    _ => "unknown",
                }
            }
        }
    };
}

codes! {
    IN_PROGRESS = 101, "in progress";
    OK = 200, "OK";
    ITEM_ADDED = 201, "item added";
    ACCEPTED = 202, "accepted for processing";
    NON_AUTHORITATIVE = 203, "non-authoritative response";
    NO_CONTENT = 204, "no content";
    RESET_CONTENT = 205, "reset content";
    PARTIAL_CONTENT = 206, "partial content";
    CONFLICT_MERGED = 207, "conflict resolved with merge";
    CONFLICT_CLIENT_WINS = 208, "conflict resolved with client's command winning";
    CONFLICT_DUPLICATED = 209, "conflict resolved with duplicate";
    DELETED_WITHOUT_ARCHIVE = 210, "delete without archive";
    ITEM_NOT_DELETED = 211, "item not deleted";
    AUTHENTICATED = 212, "authentication accepted";
    CHUNK_ACCEPTED = 213, "chunked item accepted and buffered";
    OPERATION_CANCELLED = 214, "operation cancelled";
    NOT_EXECUTED = 215, "not executed";
    ATOMIC_ROLL_BACK_OK = 216, "atomic roll back OK";
    BAD_REQUEST = 400, "bad request";
    INVALID_CREDENTIALS = 401, "invalid credentials";
    PAYMENT_NEEDED = 402, "paying needed";
    FORBIDDEN = 403, "forbidden";
    NOT_FOUND = 404, "not found";
    COMMAND_NOT_ALLOWED = 405, "command not allowed";
    FEATURE_NOT_SUPPORTED = 406, "optional feature not supported";
    MISSING_CREDENTIALS = 407, "missing credentials";
    REQUEST_TIMEOUT = 408, "request timeout";
    UPDATE_CONFLICT = 409, "update conflict";
    GONE = 410, "gone";
    SIZE_REQUIRED = 411, "size required";
    INCOMPLETE_COMMAND = 412, "incomplete command";
    ENTITY_TOO_LARGE = 413, "request entity too large";
    URI_TOO_LONG = 414, "URI too long";
    UNSUPPORTED_MEDIA_TYPE = 415, "unsupported media type or format";
    REQUESTED_SIZE_TOO_BIG = 416, "requested size too big";
    RETRY_LATER = 417, "retry later";
    ALREADY_EXISTS = 418, "already exists";
    CONFLICT_SERVER_WINS = 419, "conflict resolved with server data";
    DEVICE_FULL = 420, "device full";
    UNKNOWN_SEARCH_GRAMMAR = 421, "unknown search grammar";
    BAD_CGI_SCRIPT = 422, "bad CGI script";
    SOFT_DELETE_CONFLICT = 423, "soft-delete conflict";
    SIZE_MISMATCH = 424, "size mismatch";
    PERMISSION_DENIED = 425, "permission denied";
    COMMAND_FAILED = 500, "command failed";
    NOT_IMPLEMENTED = 501, "command not implemented";
    BAD_GATEWAY = 502, "bad gateway";
    SERVICE_UNAVAILABLE = 503, "service unavailable";
    GATEWAY_TIMEOUT = 504, "gateway timeout";
    VERSION_NOT_SUPPORTED = 505, "DTD version not supported";
    PROCESSING_ERROR = 506, "processing error";
    ATOMIC_FAILED = 507, "atomic failed";
    REFRESH_REQUIRED = 508, "refresh required";
    RESERVED = 509, "reserved (cannot resume)";
    DATA_STORE_FAILURE = 510, "data store failure";
    SERVER_FAILURE = 511, "server failure";
    SYNCHRONIZATION_FAILED = 512, "synchronization failed";
    PROTOCOL_VERSION_NOT_SUPPORTED = 513, "protocol version not supported";
    CANCELLED = 514, "operation cancelled";
    ATOMIC_ROLL_BACK_FAILED = 516, "atomic roll back failed";
    ATOMIC_RESPONSE_TOO_LARGE = 517, "atomic response too large to fit";
}

impl Code {
    /// 2xx.
    pub const fn is_success(self) -> bool {
        self.0 / 100 == 2
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.0, self.text())
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}
