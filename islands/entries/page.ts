/** Entry of pages that are the server's HTML with a living bar: rules, faults, what is not found. */
import { boot } from "../boot.ts";

boot(null);
