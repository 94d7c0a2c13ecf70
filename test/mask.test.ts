import { describe, expect, it } from 'vitest';
import { maskUrl } from '../src/mask.js';

describe('maskUrl', () => {
  it.each([
    ['mongodb://ann:hunter2@host:27017/db?authSource=admin', 'mongodb://***@host:27017/db?authSource=admin'],
    ['mongodb+srv://ann@host/db', 'mongodb+srv://***@host/db'],
    ['amqp://ann:p@ss@host', 'amqp://***@host'],
    ['redis://:hunter2@host', 'redis://***@host'],
    ['mongodb://ann:s3/cr@t@127.0.0.1:9/shop', 'mongodb://***@127.0.0.1:9/shop'],
    ['postgres://ann:hun/ter?2@host/db', 'postgres://***@host/db'],
    [
      'cannot open https://a:b@x.example/1 and https://c:d@y.example/2!',
      'cannot open https://***@x.example/1 and https://***@y.example/2!',
    ],
    ['https://x.example/?token=abc&page=2', 'https://x.example/?token=***&page=2'],
    ['https://x.example/?a=1&API_KEY=abc#access_token=def', 'https://x.example/?a=1&API_KEY=***#access_token=***'],
    [
      'https://x.example/?X-Amz-Signature=abc&X-Amz-Credential=def&sig=1',
      'https://x.example/?X-Amz-Signature=***&X-Amz-Credential=***&sig=***',
    ],
    [
      'mongodb://h/?tlsCertificateKeyFilePassword=abc&authMechanism=PLAIN',
      'mongodb://h/?tlsCertificateKeyFilePassword=***&authMechanism=PLAIN',
    ],
    ['{"url":"https://a:b@x.example/?password=p"}', '{"url":"https://***@x.example/?password=***"}'],
  ])('hides the secrets of %s', (text, hidden) => {
    expect(maskUrl(text)).toBe(hidden);
  });

  it.each([
    'https://x.example:8080/@scope/name',
    'prices@warehouse',
    'file:./data/a@b.csv',
    'https://x.example/?keyword=a&monkey=b',
    'mail ann@x.example',
    'a: b',
    '',
  ])('leaves %j as it is', (text) => {
    expect(maskUrl(text)).toBe(text);
  });
});
