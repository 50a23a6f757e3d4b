export { MismatchError } from "../copy/comparison.ts";
export type { Bucket } from "../postgres/bucket.ts";
export { StoreError } from "../store-error.ts";
export { bucketName } from "./bucket-ids.ts";
export { type BucketState, type ListedBucket, listBuckets } from "./bucket-list.ts";
export type { BucketMoved } from "./bucket-move.ts";
export type { BucketPhase, BucketProgress } from "./bucket-progress.ts";
export { abortMoves, type MoveBucketsOptions, moveBuckets } from "./move-buckets.ts";
