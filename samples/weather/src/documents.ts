import { IsDate, IsIn, IsInt, IsNumber, IsOptional, IsString, Max, Min } from 'class-validator';

export const kinds = ['drizzle', 'fog', 'rain', 'snow', 'sun'] as const;

/** A day as the file has it. */
export class RawDay {
  @IsString() location!: string;
  @IsDate() date!: Date;
  /** Millimetres. */
  @IsNumber() @Min(0) precipitation!: number;
  /** Degrees Celsius. */
  @IsNumber() temp_max!: number;
  @IsNumber() temp_min!: number;
  /** Metres a second. */
  @IsNumber() wind!: number;
  @IsIn(kinds) weather!: string;
}

export class Day {
  @IsString() city!: string;
  @IsDate() date!: Date;
  @IsNumber() rain!: number;
  @IsNumber() warmest!: number;
  @IsNumber() coldest!: number;
  @IsIn(kinds) kind!: string;
}

export class MonthOfRain {
  @IsString() city!: string;
  @IsInt() @Min(1) @Max(12) month!: number;
  /** Millimetres in an average year. */
  @IsNumber() rain!: number;
}

export class Extremes {
  @IsString() city!: string;
  @IsNumber() warmest!: number;
  @IsDate() warmestOn!: Date;
  @IsNumber() coldest!: number;
  @IsDate() coldestOn!: Date;
}

export class CityReport {
  @IsString() city!: string;
  @IsInt() wettestMonth!: number;
  @IsNumber() rainAYear!: number;
  /** Between the coldest and the warmest moment. */
  @IsNumber() span!: number;
  @IsOptional() @IsString() note?: string;
}
