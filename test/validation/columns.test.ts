import 'reflect-metadata';
import { Type } from 'class-transformer';
import * as cv from 'class-validator';
import { describe, expect, it } from 'vitest';
import { columnsOf } from '../../src/validation/columns.js';
import { Colour, Level } from './decorators.js';
import { classOf } from './oracle.js';

class Base {
  @cv.IsString() id!: string;
  @cv.IsOptional() @cv.IsInt() size?: number;
}
class Row extends Base {
  @cv.IsDate() at!: Date;
  @cv.IsBoolean() on!: boolean;
  @cv.Min(0) override size = 0;
  @cv.Allow() note!: string;
  @cv.IsNotEmpty() weight!: number;
  @cv.IsNumberString() digits!: string;
  @cv.IsNumber({}, { each: true }) many!: number[];
  @cv.ValidateNested() @Type(() => Base) base!: Base;
}

describe('columns', () => {
  it('are the properties in declaration order, a base class first, with the type that text becomes', () => {
    expect(columnsOf(Row)).toEqual([
      { name: 'id', type: 'string' },
      { name: 'size', type: 'number' },
      { name: 'at', type: 'date' },
      { name: 'on', type: 'boolean' },
      { name: 'note', type: 'string' },
      { name: 'weight', type: 'number' },
      { name: 'digits', type: 'string' },
      { name: 'many', type: 'any' },
      { name: 'base', type: 'any' },
    ]);
  });

  it.each([
    ['number', cv.IsIn([1, 2])],
    ['string', cv.IsIn(['a', 'b'])],
    ['any', cv.IsIn(['a', 1])],
    ['boolean', cv.Equals(true)],
    ['number', cv.IsEnum(Level)],
    ['string', cv.IsEnum(Colour)],
    ['date', cv.MaxDate(new Date(0))],
    ['number', cv.IsPositive()],
    ['string', cv.IsEmail()],
    ['any', cv.IsObject()],
    ['any', cv.IsOptional()],
    ['any', cv.IsLatitude()],
  ] as const)('are %s by rules alone, where the compiler emitted nothing', (type, decorator) => {
    expect(columnsOf(classOf({ value: [decorator] }))).toEqual([{ name: 'value', type }]);
  });

  it('are none for a class without rules', () => {
    expect(columnsOf(class Bare {})).toEqual([]);
  });
});
