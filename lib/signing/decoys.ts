/**
 * Keys that nobody has. A request that names an unknown key is verified with one of these, so that the time of a refusal
 * does not reveal which key names exist.
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import type { KeyType } from './algorithms.ts';
import type { PublicKey } from './keys.ts';

type Sized = Pick<PublicKey, 'type' | 'size'>;

/** The part of a {@link PublicKey} that verification needs. */
export type VerifyingKey = Sized & Pick<PublicKey, 'keyObject'>;

/** Maximum signature length in bytes, and the size in bits of the ECDSA keys that it belongs to. */
const ECDSA_SIZES = [
  [72, 256],
  [104, 384],
  [Number.POSITIVE_INFINITY, 521],
] as const;

/**
 * Whether a key of that type and size can have made a signature of this length. A key that cannot is not tried, because
 * its failure would take a different time.
 */
export function mayHaveSigned({ type, size }: Sized, signature: Uint8Array): boolean {
  if (type === 'rsa') return Math.ceil(size / 8) === signature.length;
  if (type === 'ecdsa') return ECDSA_SIZES.find(([most]) => signature.length <= most)?.[1] === size;
  return true;
}

/** Undefined for a signature length that is not common. */
export function decoyFor(type: string, signature: Uint8Array): VerifyingKey | undefined {
  return DECOYS.find((decoy) => decoy.type === type && mayHaveSigned(decoy, signature));
}

function key(type: KeyType, size: number, base64: readonly string[]): VerifyingKey {
  let made: KeyObject | undefined;
  return {
    type,
    size,
    get keyObject() {
      made ??= createPublicKey({ key: Buffer.from(base64.join(''), 'base64'), format: 'der', type: 'spki' });
      return made;
    },
  };
}

const DECOYS: readonly VerifyingKey[] = [
  key('rsa', 2048, [
    'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA1kk4HH+Fd+pW7aTFGE8/Td76/EA6XE7XYm9wbelCTZhzdJ8z7kiU0kKP',
    'vF0jVb0bnK3ahSvumMwswjlTEUENihpJRCSobJTbAQF+q1YT7vIQw6fg0DNTeaF4OpC76LonqEGup5oSM4oq+uZn0bgRLqV05Y8g',
    '9IsSxScz+9/JbiojH8PtlH/mP10jz3AqxyvuQfF8QADqa0NegEjGAMb2N/gvzDy75j4ItoAW6AfqPBuAeEo3OCTQKFqhzrQLftMS',
    'uBiLB0EujPIwkrR66YFsb61r8eevNVj/344Bt1+RGzwzTFfRB6rcVziVGjqQnPi9Hzq6IAS8z7bj7LtLhEqLFwIDAQAB',
  ]),
  key('rsa', 3072, [
    'MIIBojANBgkqhkiG9w0BAQEFAAOCAY8AMIIBigKCAYEAnmz3ampFALZWnDEfEehDHFjyQrobT3VBqjCdavsv5OEqRszFE7aZHVp6',
    '64r7qvKTE57fmn6hwTjlYFTq20QJ0ViqdXPbhvoX+JAlqYORoXRrASiCmsC8iIeDLEHtl0SUjkoZbFfLd+HDPPkF/ntvRLUbVV6T',
    'luLEmBYx1C/azLJQ+2pNBl/qt9ncNG2EuVgmgRjaI6QvS6i360s9GKPQEK4AyQZ0CHsp+XEIKx1IJahEk07IbM/cWxtZiNgngdU3',
    'W1pjDb9SbzdnxdgkFaN9UFbTli58S+xk5QmoeG7PNyoe2tXqYjYO7dBuVf9cgZcvXgMlDHpK4xumk2MrNGnKdXQhwow6WEPC+45V',
    '3/aAMKTfcXd5Jpm1waRwAGGyrHvke/dyFGbSa/Jq3Q0JGYbUKJ9dSFFN7iYT/iob7IjxOCFKv505zAHKSiFEow8iktcAxb0xYjNi',
    'JQxjWNm1cYJJCTtXlfUWOV/1T2uEPAW8XbQ6+0bHFElhXHooxyKODekzAgMBAAE=',
  ]),
  key('rsa', 4096, [
    'MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEA0WfeLOwRVdYt188vaIRSjvY8zGD15u4ePinRqAHbEtNI2ZvvY2oJpHfI',
    'vis/h7wqms1usoB6Q2U6z8bR2S318ZlPYdmv6OcXRpguB5oCt64wodq3aqcsyRN5nqWvKguUNoRphU6a5v9oq0T90SU6M/9WaoBC',
    '4i/iHQ23FJFyGEhWU52/LWP17Xw2VOZkaqh/HYdIHWk/nWQeZWVUDKLg1IbKIaqOH893JMzbid+66sofFDUDgFsuJ5qwOW9t/UWS',
    'R/YiXTXQVmmblaNFb3hsnGQ8hxHCndniBOATGWX/AI/8GdGfBifVTGXiGyV/aV3Ekz3XAMQTaKmj3hw1oEdjEPYAUlgsOCyp1r4K',
    'kGu61+Pup3xP9Y0Hxe8qwUm+9lySTqvlTTIxDj+UYq9ll+XSytcoJQXshcDI83auYDiiRr8WWlUmGKKT4T+iUHQLEJKmQZ1Xbtua',
    '71is9kXhs9JZ4jnwFNKwuGoK6IOMCDH3gIjTLV35PEGjAX4waZ0eQSdG8N6GcGoz4TsEa+xf3Eh6/9WgugTJAk9XfTbzZ+X3miH1',
    'UeT5vKL8KCLkt/lxnYq20XpkExKk4xfAdu5wN2FvtLjOkpeSJTbhPp69mNAuGSSeXMvkZ+YG8uTC4NF66fkQQOTENGdKMS565Eru',
    'WTXxnLfkIJ9c8cpVkDCvMxcTiC0CAwEAAQ==',
  ]),
  key('ecdsa', 256, [
    'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAExeKN9+Om3IubSIb+z3UORuMCD/k0mBFkulqaUsdpU9AYvnOmGpyKxtRYZX4d/izF',
    'TMRsGuG0pb9NAXFFWAaAtA==',
  ]),
  key('ecdsa', 384, [
    'MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAENf2DDz8RftP/hTaKqBmsuAR/rLVShp9qT2ZiQwCoVxWRegzwa+xn8qc7VIAEOHIORs9a',
    'nEeD0I4H5f2JD7aMzA37wI2ch6Nzlk7JMJN/3oQAJVvJZjwa3VNIqUvEsQOU',
  ]),
  key('ecdsa', 521, [
    'MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQBc/1fKo/nFTvCWP8NQ//SOif6xE54fuPwStOFdnOZXctG8u4ht2fxglj6S84KSXrE',
    'EYcRTqfLgNEB6S7izp7HPT0AdDCYBsXQYgjzB4m/RAK/bwjom5Df1Tt7h037cXxJfhfMSh0+5ES2owQyvJdA9MGmyr0OSThbmC7a',
    'cmcLSmM/QJs=',
  ]),
  key('ed25519', 256, ['MCowBQYDK2VwAyEAUQmHFpXsEwGblyjElCLVN5Hoa1un1xhVQOaM+xTftfA=']),
  key('dsa', 1024, [
    'MIIBtzCCASwGByqGSM44BAEwggEfAoGBAKrKaGk+jgHR4CiVFMTQLrf1eKW2IiM6+NGS7CFHlZVg7bShbmv1vZXosSMYTzZimUUK',
    'Ig+13Shev1PD6Ea9++xiVry/0KwgbCVdwTprHfOGdMxxtWzQO6TpA9gy3w9PjP+fB4iCsL2MeIOZPY947qZ9oSsp6D2Y5eVEul2R',
    'gsS/AhUA+RAINqbFt2k+3VFTeVMk3f4L++0CgYEAhOXJV1DrzdlXN+0CADtdb3852sEmg846cRxw8tmfY4ezxdP0y1b6QDMxvMTw',
    'yqGnyQXy8bySeiSURzl1n+6vlFpw1QkHQocs62VKlwzw6fA9P78QZX7yWgSjKA5SA3x0Yajk1saVBvk9aEJa4KZor9yktHoGXcfR',
    'NOaKIDGUyJQDgYQAAoGAG6jy22kLf9QR2AYZWpVp5yTATcPOJUXZQrE/VilUCdBZ+xUcUCUNJHOLGbQ2lEHo874od2icG+ZdoOyr',
    'n/BPuZCfy4ODBnDK880eOXt38IPbA5DubeVNUr9oF+5dgK+gmrca3dHlK6Tolrg2n+2+VMlcp5cw7FU/4lWqDKKnAGY=',
  ]),
];
