/** The media type of some bytes of a file: what PATCH of an upload takes. RFC 5789 has another type answered 415. */
export const PARTIAL_UPLOAD = 'application/partial-upload';
