/** Entry of pages that are the server's HTML with a living bar: faults, what is not found. */
import { boot } from "../boot.ts";

boot(null);
