import { loadBson } from '../../storage/ids.js';

/** One row with a value of every type that BSON has and JavaScript programs use. */
export async function everyType(): Promise<Readonly<Record<string, unknown>>> {
  const { Binary, Decimal128, Long, MaxKey, MinKey, ObjectId, Timestamp, UUID } = await loadBson();
  return {
    text: 'grüße, 世界 \u{1f600} \u0000 end',
    empty: '',
    int: 42,
    negative: -7,
    double: 1.5,
    huge: 1e300,
    infinity: Infinity,
    yes: true,
    no: false,
    nothing: null,
    date: new Date('2024-02-29T12:34:56.789Z'),
    early: new Date(-1),
    id: new ObjectId('65f000000000000000000001'),
    long: Long.fromString('9007199254740993'),
    small: Long.fromNumber(5),
    decimal: Decimal128.fromString('0.10'),
    bytes: new Binary(Buffer.from([0, 1, 255])),
    uuid: new UUID('0f9a4c5e-7d51-4c65-9c1b-3a4f6f2f9a11'),
    pattern: /^a.b$/i,
    timestamp: new Timestamp({ t: 7, i: 3 }),
    least: new MinKey(),
    most: new MaxKey(),
    list: [1, 'two', [3, [4]], { five: 5 }, null],
    none: [],
    nested: { a: { b: { c: [{}] } } },
    'with.dot': 'kept',
  };
}
