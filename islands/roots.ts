/** Ids by which server and browser find the parts of a page. */

/** Id of the element that embeds the page's data. */
export const PROPS_ID = "props";
/** Ids of the elements that islands are put on. */
export const ROOTS = { bar: "bar", banner: "banner", main: "main", toasts: "toasts" } as const;
