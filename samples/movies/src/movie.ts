import { IsDate, IsNumber, IsOptional, IsPositive, IsString, Max, MaxDate, Min } from 'class-validator';

/** A film as we want it; amounts in millions of dollars of the base year. */
export class Movie {
  @IsString()
  title!: string;

  /** The data set was made in 2010: a later date is a two-digit year read wrongly. */
  @IsDate()
  @MaxDate(new Date('2010-12-31'))
  released!: Date;

  @IsString()
  genre!: string;

  @IsOptional()
  @IsString()
  director?: string;

  @IsOptional()
  @IsPositive()
  budget?: number;

  @IsOptional()
  @IsNumber()
  @Min(0)
  gross?: number;

  @IsOptional()
  @IsNumber()
  @Min(0)
  @Max(10)
  rating?: number;
}
