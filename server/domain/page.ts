/** Lists page by opaque cursor: `next` is absent on the last page. */
export interface PageRequest {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface Page<T> {
  readonly items: T[];
  readonly next?: string;
}
