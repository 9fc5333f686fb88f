/**
 * The standard library's assertions, typed: what `@std/assert` means in this project.
 *
 * They come from npm, where they carry no types; `deno.json` maps the name here, so that a move to
 * the registry of origin is one line there.
 */
// @ts-types="./std_assert.d.ts"
export * from "deno-std/assert/mod.js";
