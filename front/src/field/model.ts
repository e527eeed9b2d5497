// What the server tells the app, and what the app keeps. The server's side is `crates/web/src/pages/field/app.rs` and the API.

export interface Told {
  language: "zh" | "en";
  /** The place's code; of every address of the API. */
  place: string;
  /** The place's time zone, in which all times are shown. */
  zone: string | null;
  /** The most photos of one report or act. */
  photos: number;
  words: Record<string, string>;
}

/** A text in the languages that the place wrote it in. */
export interface Names {
  own: string;
  zh?: string;
  en?: string;
}

export interface Point {
  lon: number;
  lat: number;
}

/** Who is signed in, and the token of their session's forms. */
export interface Who {
  login: string;
  post: string;
  post_name: string;
  unit: string;
  may_report: boolean;
  token: string;
  now: string;
}

export interface Look {
  finding: string;
  /** Days, such as 2026-05-08. */
  made_on: string;
  received_on: string;
  unit?: string;
}

export interface Stop {
  code: string;
  name: Names;
  point: Point;
  service?: string;
  asset: string;
  every_days: number;
  is_due: boolean;
  last?: Look;
}

export interface Round {
  code: string;
  name: Names;
  may_walk: boolean;
  due: number;
  stops: Stop[];
}

export interface Offer {
  verb: string;
}

export interface Case {
  number: number;
  version: number;
  stage: string;
  service: string;
  service_name?: Names;
  address: string;
  point?: Point;
  description: string;
  clocks: { kind: string; due_at: string }[];
  offered?: Offer[];
}

export interface Whistle {
  number: number;
  version: number;
  kind: string;
  place: string;
  matter: string;
  meet_at?: string;
  offered?: Offer[];
}

export interface Question {
  code: string;
  datatype: string;
  answerable: boolean;
  required: boolean;
  label: Names;
  hint: Names;
  values: { key: string; name: Names }[];
}

export interface Service {
  code: string;
  group?: string;
  name: Names;
  questions: Question[];
}

/** All that is taken along for a shift. */
export interface Shift {
  who: Who;
  /** The place's time zone, by which days are told. */
  zone: string | null;
  rounds: Round[];
  /** Where the rounds go on that were not taken along. */
  next_rounds: string | null;
  units: Record<string, string>;
  cases: Case[];
  areas: Record<string, string>;
  whistles: Whistle[];
  kinds: Record<string, string>;
  services: Service[];
  push: boolean;
}

/** An event of a case or whistle. */
export interface Event {
  at: string;
  made_at?: string;
  event: string;
  text?: string;
}

/** What the server says in place of doing something. */
export interface Refusal {
  status: number;
  code: string;
  message: string;
  /** Which part of what was sent it is about. */
  field?: string;
  /** With a case or whistle that changed meanwhile: its version now, and what happened. */
  version?: number;
  changes?: Event[];
}

/** Something that was done and is not sent yet. */
export interface Item {
  id?: number;
  /** Whose: login and post. Never sent as anybody else. */
  account: string;
  /** By which the server knows it again. */
  key: string;
  /** What it is about. What is about the same waits for what was done before. */
  subject: string;
  /** In words, for whoever did it. */
  label: string;
  /** By the server's clock, as far as it is known. */
  made_at: string;
  path: string;
  body: Record<string, unknown>;
  /** The keys of the photos that go with it, and what the server gave for those that it has. */
  photos: { id: number; ticket?: string }[];
  refusal?: Refusal;
  /** Until when it can be taken back, and is not sent; in milliseconds since 1970. */
  hold_until?: number;
  /** How often the server failed on it. */
  tries?: number;
}

/** What was entered into a form and is not kept to be sent yet. */
export interface Draft {
  /** Names and values of its fields. */
  fields: [string, string][];
  photos: Blob[];
  /** When, in milliseconds since 1970. */
  at: number;
}

/** Something that was sent. */
export interface Sent {
  id?: number;
  account: string;
  label: string;
  made_at: string;
  received_at: string;
  /** The case that was made of it. */
  number?: number;
}

/** As whom something is done. */
export function accountOf(who: Who): string {
  return `${who.login}/${who.post}`;
}
