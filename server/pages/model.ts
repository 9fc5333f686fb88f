/** What the server hands to the pages: everything that a page shows, as data. */
import type { DashboardView } from "../../contract/dashboard.ts";
import type { Severity } from "../../contract/anomaly.ts";
import type {
  AnomalyPage,
  AnomalyState,
  AnomalyView,
  ExplanationView,
  PipelineView,
  RuleRevision,
  RuleView,
  SeriesView,
  SignalView,
  VehicleState,
  VehicleView,
  VersionView,
} from "../../contract/views.ts";

/** What every page gets. */
export interface PageBase {
  /** Server clock, epoch milliseconds. */
  readonly now: number;
  /** Where the static files lie: `/assets/HASH/`; a page links `${assets}${AssetFile.name}`. */
  readonly assets: string;
  /** Where the stream stood when the page was made: `/api/stream?last=` goes on from there. */
  readonly position: string;
  /** Open anomalies by severity over the whole fleet, snoozed ones not counted. */
  readonly open: Readonly<Record<Severity, number>>;
  /** Tiles, columns, charts, units. */
  readonly dashboard: DashboardView;
  /** Address of the base map; "" for none. */
  readonly baseMap: string;
  /** Whether the visitor signed in with the token, so that signing out (POST /logout) is offered. */
  readonly signedIn: boolean;
}

/** Vehicles embedded in the live page at most; the stream brings the rest. */
export const PAGE_VEHICLES_MAX = 200;

/** Anomalies embedded in a page at most. */
export const PAGE_ANOMALIES_MAX = 100;

/** Vehicles by state over the whole fleet. */
export interface FleetSummary {
  /** Vehicles known. */
  readonly vehicles: number;
  readonly states: Readonly<Record<VehicleState, number>>;
}

/** `GET /`. */
export interface LivePage extends PageBase {
  readonly kind: "live";
  readonly fleet: FleetSummary;
  /** Figures of the dashboard's tiles in their order; null for those that pages make themselves. */
  readonly tileValues: readonly (number | null)[];
  /** At most `PAGE_VEHICLES_MAX`: worst open severity first, then by id. */
  readonly vehicles: readonly VehicleView[];
  /** Those not cleared, newest first, at most `PAGE_ANOMALIES_MAX`. */
  readonly anomalies: AnomalyPage;
  readonly pipeline: PipelineView;
  readonly signals: readonly SignalView[];
}

/** Anomalies of one rule and vehicle. */
export interface AnomalyGroup {
  readonly rule: string;
  readonly vehicle: string;
  /** Worst severity of the group. */
  readonly severity: Severity;
  /** Openings, reopenings counted too. */
  readonly count: number;
  /** Those not cleared. */
  readonly open: number;
  /** T of the first and of the last opening, epoch milliseconds. */
  readonly first: number;
  readonly last: number;
  /** Openings per bucket of `AnomaliesPage.density`, oldest first. */
  readonly density: readonly number[];
  /** The newest anomaly of the group. */
  readonly latest: AnomalyView;
}

/** What the anomalies page was asked to show; "" for any. */
export interface AnomalyFilter {
  readonly state: AnomalyState | "";
  readonly severity: Severity | "";
  readonly vehicle: string;
  readonly rule: string;
}

/** `GET /anomalies?state&severity&vehicle&rule&cursor`. */
export interface AnomaliesPage extends PageBase {
  readonly kind: "anomalies";
  readonly filter: AnomalyFilter;
  readonly page: AnomalyPage;
  /** Groups of what the filter lets through, most recent first, at most `PAGE_ANOMALIES_MAX`. */
  readonly groups: readonly AnomalyGroup[];
  /** The buckets of the groups' densities. */
  readonly density: {
    /** Start of the first bucket, epoch milliseconds. */
    readonly from: number;
    /** Length of a bucket, milliseconds. */
    readonly stepMs: number;
    readonly buckets: number;
  };
  /** Ids of the rules in force, for the filter. */
  readonly rules: readonly string[];
}

/** `GET /anomalies/:id`. */
export interface WhyPage extends PageBase {
  readonly kind: "why";
  readonly why: ExplanationView;
}

/** Positions of one vehicle over time, column by column, ascending. */
export interface TrailView {
  /** T, epoch milliseconds. */
  readonly t: readonly number[];
  /** Degrees. */
  readonly lat: readonly number[];
  readonly lon: readonly number[];
}

/** `GET /v/:id?t&from&to`. */
export interface VehiclePage extends PageBase {
  readonly kind: "vehicle";
  readonly vehicle: VehicleView;
  /** Its anomalies, newest first, at most `PAGE_ANOMALIES_MAX`. */
  readonly anomalies: AnomalyPage;
  /** At most six signals over the window, thinned to what a chart can show. */
  readonly series: readonly SeriesView[];
  /** At most 2,000 points over the window. */
  readonly trail: TrailView;
  /** The window, epoch milliseconds. */
  readonly from: number;
  readonly to: number;
  /** The moment that `?t=` names: the page opens paused there; null: live. */
  readonly at: number | null;
  readonly signals: readonly SignalView[];
}

/** `GET /rules`. */
export interface RulesPage extends PageBase {
  readonly kind: "rules";
  readonly version: string;
  readonly rules: readonly RuleView[];
  /** The latest ones, newest first. */
  readonly versions: readonly VersionView[];
  /** How many versions there are. */
  readonly versionsTotal: number;
  readonly pipeline: PipelineView;
}

/** Openings over time. */
export interface DensityView {
  /** Start of the first bucket, epoch milliseconds. */
  readonly from: number;
  /** Length of a bucket, milliseconds. */
  readonly stepMs: number;
  /** Openings per bucket, oldest first. */
  readonly counts: readonly number[];
}

/** `GET /rules/:id`. */
export interface RulePage extends PageBase {
  readonly kind: "rule";
  readonly id: string;
  /** Version in force. */
  readonly version: string;
  /** The rule as it is in force; null if no version in force has it any more. */
  readonly rule: RuleView | null;
  /** By the hour over a day, by the day over a month. */
  readonly densities: readonly DensityView[];
  /** Its anomalies, newest first, at most `PAGE_ANOMALIES_MAX`. */
  readonly anomalies: AnomalyPage;
  /** What versions made of it, newest first. */
  readonly revisions: readonly RuleRevision[];
}

/** `GET /pipeline`. */
export interface PipelinePage extends PageBase {
  readonly kind: "pipeline";
  readonly pipeline: PipelineView;
  readonly rules: readonly RuleView[];
}

/** Shown for any page when a token is set and the visitor has none: a form that POSTs `token` and `next` to /login. */
export interface LoginPage extends PageBase {
  readonly kind: "login";
  /** Path to go on to after signing in; begins with "/". */
  readonly next: string;
  /** Whether a wrong token was just given. */
  readonly wrong: boolean;
}

/** What could not be shown. */
export interface ErrorPage extends PageBase {
  readonly kind: "error";
  /** HTTP status. */
  readonly status: number;
  readonly title: string;
  /** Cause and what to do. */
  readonly detail: string;
}

/** Everything that a page can be; `renderPage` draws it. */
export type PageModel =
  | LivePage
  | AnomaliesPage
  | VehiclePage
  | RulesPage
  | RulePage
  | PipelinePage
  | WhyPage
  | LoginPage
  | ErrorPage;

/**
 * One static file, as `assetFiles()` of `assets.ts` lists them; served under `/assets/HASH/name`.
 *
 * The hash is over the contents of all files, so what lies under a path never changes.
 */
export interface AssetFile {
  /** Name below `/assets/HASH/`, e.g. `kilter.css` or `live.js`; chunks import each other by it. */
  readonly name: string;
  /** Where it lies; read with `Deno.readFile`. */
  readonly url: URL;
  /** Content-Type. */
  readonly type: string;
}
