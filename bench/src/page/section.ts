/** A part of the page, and the pictures that it shows. */
export interface Plot {
  readonly file: string;
  readonly alt: string;
  readonly svg: string;
}

export interface Section {
  readonly title: string;
  readonly plots: readonly Plot[];
  /** Markdown below the pictures. */
  readonly text: string;
}
