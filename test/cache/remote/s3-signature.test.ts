/** The examples of https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, with the keys they were made with. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { encodePath, signedHeaders } from '../../../cache/remote/s3-signature.ts'
import { digestOf } from '../../../graph/fingerprint.ts'

const test = suite('cache/remote/s3-signature')

const signer = {
  credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
  region: 'us-east-1',
  now: new Date('2013-05-24T00:00:00Z'),
}
const host = 'https://examplebucket.s3.amazonaws.com'

for (const [what, method, url, headers, body, names, signature] of [
  [
    'reading the first bytes of an object',
    'GET',
    `${host}/test.txt`,
    { range: 'bytes=0-9' },
    '',
    'host;range;x-amz-content-sha256;x-amz-date',
    'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  ],
  [
    'writing an object whose name must be encoded',
    'PUT',
    `${host}/${encodePath('test$file.text')}`,
    { date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' },
    'Welcome to Amazon S3.',
    'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class',
    '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  ],
  [
    'a question without a value',
    'GET',
    `${host}/?lifecycle`,
    {},
    '',
    'host;x-amz-content-sha256;x-amz-date',
    'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  ],
  [
    'questions with values',
    'GET',
    `${host}/?prefix=J&max-keys=2`,
    {},
    '',
    'host;x-amz-content-sha256;x-amz-date',
    '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  ],
] as const) {
  test(`AWS's example: ${what}`, () => {
    const signed = signedHeaders({ method, url: new URL(url), headers, bodyDigest: digestOf(body) }, signer)
    const credential = 'AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request'
    assert.is(signed['authorization'], `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`)
  })
}

test('a token is sent and signed; the secret is in nothing that is sent', () => {
  const credentials = { ...signer.credentials, sessionToken: 'token' }
  const signed = signedHeaders({ method: 'GET', url: new URL(host), headers: {}, bodyDigest: digestOf('') }, { ...signer, credentials })
  assert.is(signed['x-amz-security-token'], 'token')
  assert.match(signed['authorization'] ?? '', 'SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token')
  assert.not(JSON.stringify(signed).includes(credentials.secretAccessKey))
})

test('a path is encoded once, its slashes not', () => {
  assert.is(encodePath("a b/c+d/e'(f)*!~/ü%2F"), 'a%20b/c%2Bd/e%27%28f%29%2A%21~/%C3%BC%252F')
})

test.run()
